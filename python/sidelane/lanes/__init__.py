"""Operations on whole lanes.

- deployment/: plan and apply a file; diff/: compare two lanes; bundle/: pack a lane, and replay it; retire/: remove it;
- lane_status.py: the state of a lane.

The work on a single release belongs in releases/.
"""
