"""The app: reads which environment is meant, builds its stage; nothing else."""
