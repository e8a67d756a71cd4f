package exposure

import "github.com/lectern-dev/lectern"

// PutLook is the statement that stores what looks have shown in place of a revision. Its
// parameters are the new revision, body, time and experiment; it changes no row where
// another revision is stored.
func PutLook(base int64, param func(int) string) string {
	if base == 0 {
		return "INSERT INTO experiment_looks (revision, body, at, experiment) VALUES (" + param(1) + ", " + param(2) + ", " + param(3) + ", " + param(4) +
			") ON CONFLICT (experiment) DO NOTHING"
	}
	return "UPDATE experiment_looks SET revision = " + param(1) + ", body = " + param(2) + ", at = " + param(3) +
		" WHERE experiment = " + param(4) + " AND revision = " + param(1) + " - 1"
}

// LookMoved says that what looks have shown was changed since it was read.
func LookMoved() error {
	return lectern.Errorf(lectern.CodePrecondition, "somebody else has looked at the experiment meanwhile")
}
