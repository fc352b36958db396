"""The database: tables, migrations, reading and writing. No rule of the protocol stands here."""
