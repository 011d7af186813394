"""Reading of Stripe's objects, one module for each, in the shapes of any API version. No I/O here."""
