"""The demo: real flights of 2013, replayed through real processes as a user would run them."""
