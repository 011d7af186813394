"""The look of the admin: site, lists, forms and pages. Presentation only; it imports no app and holds no rule."""
