package api

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// A key's text is keyPrefix, an id, an underscore and a secret.
const (
	keyPrefix      = "lk_"
	keyIDBytes     = 5  // 8 characters
	keySecretBytes = 25 // 40 characters, 200 bits
)

// keyAlphabet has no underscore and nothing that a shell or an URL would change.
func keyAlphabet() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

// NewKey makes an API key from random. The text is what a caller sends; it can
// never be had again from the key that is stored. Errors: CodeInvalid for an
// unknown scope or a name that is empty or longer than 100 bytes.
func NewKey(scope lectern.Scope, name string, random io.Reader, now time.Time) (text string, key lectern.APIKey, err error) {
	if !slices.Contains(lectern.Scopes(), scope) {
		return "", key, lectern.Invalid("unknown scope",
			lectern.NewFieldError("scope", scope, "is not a scope", scopeNames()))
	}
	if name = strings.TrimSpace(name); name == "" || len(name) > 100 {
		return "", key, lectern.Invalid("a key needs a name",
			lectern.NewFieldError("name", name, "is empty or too long", "1 to 100 bytes"))
	}
	raw := make([]byte, keyIDBytes+keySecretBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", key, fmt.Errorf("make an API key: %w", err)
	}
	enc := keyAlphabet()
	id := enc.EncodeToString(raw[:keyIDBytes])
	text = keyPrefix + id + "_" + enc.EncodeToString(raw[keyIDBytes:])
	return text, lectern.APIKey{
		ID: id, Name: name, Scope: scope, Hash: HashKey(text), CreatedAt: lectern.Timestamp(now),
	}, nil
}

// HashKey is the form in which a key is stored. A plain hash is enough: the
// secret is 200 random bits, which nobody guesses.
func HashKey(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// looksLikeKey tells a key from other things that a caller may send, cheaply.
func looksLikeKey(text string) bool {
	return len(text) <= 200 && strings.HasPrefix(text, keyPrefix) && strings.Count(text, "_") == 2
}

func scopeNames() string {
	out := make([]string, 0, 4)
	for _, s := range lectern.Scopes() {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}
