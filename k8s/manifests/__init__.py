"""What Kubernetes is sent: settings, names, templates, and the checks that manifests pass before a server sees them."""
