"""Fakes of the vendors that the bridges lead to, one package per capability."""
