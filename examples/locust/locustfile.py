from antiphon.locust import users

users("busy_day.py:busy_day", stand="local", reports=["junit"])
