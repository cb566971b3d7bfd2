"""menura"""
