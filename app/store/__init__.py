"""The database: tables, migrations, reading and writing. It knows no rule of the protocol."""
