"""Contracts a back end must keep, as test classes. Plug-ins subclass them too."""
