"""resynthesis"""
