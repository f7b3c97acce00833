"""What can be carried away from a run, one kind a module; `table.EXPORTERS` names them all."""
