"""What people are known by: values made equal and hashed. Whoever looks a person up needs it as well as the job."""
