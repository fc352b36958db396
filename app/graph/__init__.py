"""Microsoft Graph: fetches call records, recordings and the optional sources, and stores them."""
