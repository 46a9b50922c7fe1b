"""What an external system learned about a contact comes back to its flow."""
