"""How one stage of one network is trained: what it is fed, and how it goes on after a cut."""
