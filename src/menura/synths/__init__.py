"""synths"""
