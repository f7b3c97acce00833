"""What a trained model is worth: one question a module."""
