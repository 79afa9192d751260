"""LoRaWAN sensors: what each model's payload means, whatever network server brings it."""
