"""The command line: `trivet <noun> <verb>`, one module for each noun."""
