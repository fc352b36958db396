"""The Overview's heat map in other dashboards, on the same database: to see what ours costs beside them."""
