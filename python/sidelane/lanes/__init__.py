"""Operations on whole lanes: apply a file, compare, bundle, replay and retire."""
