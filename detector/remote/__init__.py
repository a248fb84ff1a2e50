"""Recordings that lie elsewhere: web servers, object stores, other machines; read in ranges of bytes."""
