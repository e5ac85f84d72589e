"""What AWS answers to one request, decided from the policy documents alone. Pure."""
