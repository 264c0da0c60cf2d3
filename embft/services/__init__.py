"""Talking to services over HTTP: addresses, requests with limits of time and size, and what a server's words mean.

Knows nothing of chats or embeddings; `embft.questions` and `embft.models` do.
"""
