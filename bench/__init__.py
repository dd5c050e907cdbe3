"""Benchmark of joint against sequential MRI reconstruction and super-resolution."""
