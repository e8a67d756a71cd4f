package cf

import (
	"io"

	"github.com/lectern-dev/lectern"
)

// Save implements Model.
func (m *ALS) Save(w io.Writer) error {
	f := &m.fitted
	out := newFrame(w, alsName, alsVersion)
	out.params(m.params)
	out.flag(f.ordered)
	f.catalogue.save(out)
	out.float(f.weight)
	out.floats(f.gram)
	out.floats(f.factor)
	return out.close()
}

// Load implements Model.
func (m *ALS) Load(r io.Reader) error {
	in := openFrame(r, alsName, alsVersion)
	loaded := newALS(in.params(alsOptions()))
	dim := loaded.config.dim
	f := alsFactors{dim: dim, ordered: in.flag()}
	f.catalogue = loadCatalogue(in)
	if f.weight = in.float(); f.weight < 0 {
		in.fail("has a negative weight")
	}
	f.gram = in.floats(dim)
	f.factor = in.floats(len(f.known) * dim)
	if err := in.close(); err != nil {
		return err
	}
	for _, g := range f.gram {
		if g < 0 {
			return lectern.Errorf(lectern.CodeInvalid, "saved model holds a Gram matrix with a negative eigenvalue")
		}
	}
	f.measure()
	loaded.fitted = f
	*m = *loaded
	return nil
}
