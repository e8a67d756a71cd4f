package cf_test

import (
	"testing"

	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/cf/cftest"
)

func TestFactorsSuite(t *testing.T) {
	for _, name := range []string{"ease", "session", "neighbours", "als"} {
		inner := maker(t, name, small(name))
		t.Run(name, func(t *testing.T) {
			cftest.Run(t, func() cf.Model {
				f, err := cf.NewFactors(inner(), 10)
				if err != nil {
					t.Fatal(err)
				}
				return f
			})
		})
	}
}
