"""How staff come in and prove who they are: the steps of the login, its limits, sessions, second factors."""
