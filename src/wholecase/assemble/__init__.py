"""Recipe -> the parts that it names."""
