package cf_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/cf/cftest"
)

// maker returns a constructor of models of that kind.
func maker(tb testing.TB, name string, p cf.Params) func() cf.Model {
	spec, ok := cf.SpecByName(name)
	if !ok {
		tb.Fatalf("no model %q", name)
	}
	return func() cf.Model {
		m, err := spec.New(p)
		if err != nil {
			tb.Fatal(err)
		}
		return m
	}
}

// small are parameters for models whose defaults are too large for two dozen
// courses.
func small(name string) cf.Params {
	if name == "als" {
		return cf.Params{"dim": 4, "reg": 0.03}
	}
	return nil
}

func TestSuite(t *testing.T) {
	for _, spec := range cf.Specs() {
		var opts []cftest.Option
		if spec.Floor {
			opts = append(opts, cftest.Impersonal())
		}
		t.Run(spec.Name, func(t *testing.T) { cftest.Run(t, maker(t, spec.Name, small(spec.Name)), opts...) })
	}
}

// Parameters that lead through other code.
func TestSuiteVariants(t *testing.T) {
	for name, v := range map[string]struct {
		model  string
		params cf.Params
	}{
		"recent":     {"popularity", cf.Params{"half_life_days": 30}},
		"decayed":    {"cosine", cf.Params{"decay": 0.7, "top_k": 8, "alpha": 0.3}},
		"sparse":     {"ease", cf.Params{"top_k": 8, "dropout": 0.3, "length_power": 0.5}},
		"mixed":      {"slist", cf.Params{"set": 0.3, "length_power": 0.5, "top_k": 15}},
		"only set":   {"slist", cf.Params{"set": 1}},
		"last alone": {"slist", cf.Params{"input_decay": 0, "target_decay": 0}},
		"no decay":   {"slist", cf.Params{"input_decay": 1, "target_decay": 1}},
	} {
		t.Run(v.model+" "+name, func(t *testing.T) {
			var opts []cftest.Option
			if v.model == "popularity" {
				opts = append(opts, cftest.Impersonal())
			}
			cftest.Run(t, maker(t, v.model, v.params), opts...)
		})
	}
}

// seal puts the right checksum behind bytes.
func seal(b []byte) []byte {
	if len(b) < 4 {
		return b
	}
	body := b[:len(b)-4]
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.ChecksumIEEE(body))
}

func FuzzLoadSLIST(f *testing.F) { cftest.Fuzz(f, maker(f, "slist", nil), seal) }

func FuzzLoadCosine(f *testing.F) { cftest.Fuzz(f, maker(f, "cosine", cf.Params{"top_k": 2}), seal) }
