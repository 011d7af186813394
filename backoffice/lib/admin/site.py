from django.contrib.admin import AdminSite


class BackofficeSite(AdminSite):
    site_header = "Back office"
