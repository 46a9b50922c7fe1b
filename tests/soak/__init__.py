"""The soak: a package, so that its tests share one sandbox. `make soak`."""
