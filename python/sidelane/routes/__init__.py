"""Routes: the targets of stable names, and changes of them.

- model.py: targets, weights and matches as valid values;
- notes.py: the note of a change in a route's history, and its author;
- places.py: the interface to the storage of routes; cluster.py, directory.py: its two implementations;
- finding.py: finds the releases that are routes, with their service and lane;
- ready.py: checks that targets exist and are ready for their share;
- changes.py, writing.py, routed.py, terms.py: set, show, list, history and undo; together.py: of several routes;
- shift.py, progress.py: moves requests of one or many routes step by step; gates.py, questions.py, asking.py: the gates
  between steps; notices.py: notifications; announcing.py: Kubernetes Events; moving.py: the new targets of a step;
  courses.py: the begin of a shift, and its continuation; returning.py: its return;
- marks.py, standing.py: the state of a shift in the histories of its routes;
- leads.py: finds the routes to a lane or a release, before it is retired.

A route is stored as a release, so everything that holds for every release belongs in releases/.
"""
