"""Values to manifests and back: settings, names, templates, checks, and what a Job's object says. Pure, knows no cluster."""
