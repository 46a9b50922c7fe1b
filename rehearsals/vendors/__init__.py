"""Fakes of the vendors that the bridges lead to, one package a capability."""
