"""Train stacks of small Keras networks and find out why they are stuck. No Streamlit in here."""
