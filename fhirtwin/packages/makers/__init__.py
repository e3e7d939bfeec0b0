"""What an owner's files become: for each kind of model a module that makes the content of a package of them."""
