"""One run: which networks on which data, how they are judged, the leaderboard and its figures."""
