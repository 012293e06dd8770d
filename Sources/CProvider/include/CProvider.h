// Nothing is called here: what these files define takes the place of functions of OpenSSL when the agent is linked.
