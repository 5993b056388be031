"""Where things are kept: rows in SQL, bytes in blobs, tables in Lance, features online."""
