package opinion

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// Kind is that of the artefacts that hold trained models.
const Kind = "sentiment"

// reader is all that reviews are read with.
type reader struct {
	version    int64 // of the model, 0 for the lexicon
	classifier sentiment.SentenceClassifier
	aspects    *sentiment.Aspects
	chat       string // name of what reads beside it, "" for nothing
}

// name is what summaries cite.
func (r *reader) name() string {
	if r.chat == "" {
		return r.classifier.Name()
	}
	return r.chat + "+" + r.classifier.Name()
}

// lexical reads without any training.
func (k *Keeper) lexical() *reader {
	return &reader{classifier: k.lexicon, aspects: sentiment.SeedAspects(k.lexicon), chat: k.chatName()}
}

func (k *Keeper) chatName() string {
	if k.o.Chat == nil {
		return ""
	}
	return k.o.Chat.Name()
}

// Reader is what reads reviews now: the model in use, or the lexicon, and the aspects.
func (k *Keeper) Reader() (sentiment.SentenceClassifier, *sentiment.Aspects) {
	r := k.current()
	return r.classifier, r.aspects
}

func (k *Keeper) current() *reader {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reader
}

// Look puts the model to use that the store says is in use, if it is not here yet.
// One that cannot be read, as it is of another release, is logged once; then the
// lexicon reads.
func (k *Keeper) Look(ctx context.Context) error {
	a, err := k.o.Store.ActiveArtefact(ctx, Kind)
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return nil
	case err != nil:
		return fmt.Errorf("find the model that reads reviews: %w", err)
	}
	k.mu.Lock()
	known := a.Version == k.reader.version || a.Version == k.unreadable
	k.mu.Unlock()
	if known {
		return nil
	}
	body, err := k.o.Store.ArtefactBody(ctx, Kind, a.Version)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return nil // pruned since: another one is in use
	}
	if err != nil {
		return fmt.Errorf("read model %d of reviews: %w", a.Version, err)
	}
	next, err := k.decode(a.Version, body)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.unreadable, k.reader = a.Version, k.lexical()
		k.o.Logger.ErrorContext(ctx, "the model that reads reviews cannot be used; the lexicon does", slog.Int64("version", a.Version), slog.Any("err", err))
		return nil
	}
	k.unreadable, k.reader = 0, next
	k.o.Logger.InfoContext(ctx, "another model reads reviews", slog.Int64("version", a.Version), slog.String("model", next.name()))
	return nil
}

// stored is the form of a model in an artefact.
type stored struct {
	Format int                   `json:"format"`
	Grown  []sentiment.GrownTerm `json:"grown,omitempty"` // words of aspects
	Model  json.RawMessage       `json:"model"`
}

// storedFormat changes when artefacts can no longer be read.
const storedFormat = 1

// decode reads what encode wrote. Errors: CodeInvalid for another format.
func (k *Keeper) decode(version int64, body []byte) (*reader, error) {
	var in stored
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "a model of reviews cannot be read: %v", err)
	}
	if in.Format != storedFormat {
		return nil, lectern.Errorf(lectern.CodeInvalid, "a model of reviews has format %d, and this release reads %d", in.Format, storedFormat)
	}
	m, err := sentiment.Load(bytes.NewReader(in.Model), k.lexicon)
	if err != nil {
		return nil, err
	}
	return &reader{version: version, classifier: m, aspects: sentiment.SeedAspects(k.lexicon).With(in.Grown), chat: k.chatName()}, nil
}

func encode(m *sentiment.Model, aspects *sentiment.Aspects) ([]byte, error) {
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		return nil, err
	}
	return json.Marshal(stored{Format: storedFormat, Grown: aspects.Grown(), Model: b.Bytes()})
}
