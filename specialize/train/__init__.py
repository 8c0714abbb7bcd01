"""Training: one loop, and what it trains: LAPT, pretraining, fine-tuning."""
