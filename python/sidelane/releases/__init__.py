"""Releases: installed, upgraded, waited for, recorded, verified and repaired, on a cluster or in a directory."""
