// Package openai asks any server that speaks OpenAI's chat API how content the writers
// of reviews are. A review is data to it, whatever it says: answers are taken as
// numbers in a form that is checked strictly, and a request in which the model was led
// astray by one of the texts is thrown away as a whole.
package openai

import (
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/lectern-dev/lectern"
)

// ChatConfig says which server is asked, and how much.
type ChatConfig struct {
	Enabled    bool          `koanf:"enabled"`      // sends the texts of reviews, without their writers, to that server
	BaseURL    string        `koanf:"base_url"`     // of the API, with its version, such as http://ollama:11434/v1
	APIKey     string        `koanf:"api_key"`      // secret; servers of one's own often need none
	APIKeyFile string        `koanf:"api_key_file"` // a file that holds the key, in place of api_key
	Model      string        `koanf:"model"`        // as the server names it
	Batch      int           `koanf:"batch"`        // reviews in one request
	MaxText    int           `koanf:"max_text"`     // bytes of a review that are sent
	MaxPerDay  int           `koanf:"max_per_day"`  // reviews that are sent in a day (UTC) by one process, which bounds the cost; the built-in model reads the others
	Timeout    time.Duration `koanf:"timeout"`      // of one request
	Pause      time.Duration `koanf:"pause"`        // after a request that failed
}

// DefaultConfig returns settings that ask nobody.
func DefaultConfig() ChatConfig {
	return ChatConfig{Batch: 10, MaxText: 2000, MaxPerDay: 1000, Timeout: 20 * time.Second, Pause: time.Minute}
}

// Validate reports every setting that is not acceptable, by its key. It does not read
// the key file.
func (c ChatConfig) Validate() error {
	var bad []lectern.FieldError
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError("opinion.chat."+key, value, "is not usable", allowed))
		}
	}
	check(usableURL(c.BaseURL), "base_url", "(not shown)", "an absolute http or https URL without user, query and fragment")
	check(strings.TrimSpace(c.Model) != "", "model", c.Model, "the name of a model that the server has")
	check(c.APIKey == "" || c.APIKeyFile == "", "api_key_file", c.APIKeyFile, "empty where api_key is set")
	check(httpguts.ValidHeaderFieldValue(c.APIKey), "api_key", "(hidden)", "printable characters")
	check(c.Batch >= 1 && c.Batch <= 100, "batch", c.Batch, "1 to 100")
	check(c.MaxText >= 100 && c.MaxText <= 100_000, "max_text", c.MaxText, "100 to 100000")
	check(c.MaxPerDay >= 1, "max_per_day", c.MaxPerDay, "at least 1")
	check(c.Timeout > 0, "timeout", c.Timeout, "above 0")
	check(c.Pause >= time.Second, "pause", c.Pause, "at least 1s")
	if len(bad) > 0 {
		return lectern.Invalid("the settings of the chat model are not usable", bad...)
	}
	return nil
}

// usableURL reports whether an address can be asked; one with a password cannot.
func usableURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

const maxKeyFile = 16 << 10

// key returns the API key, from its file where one is named.
func (c ChatConfig) key() (string, error) {
	if c.APIKeyFile == "" {
		return c.APIKey, nil
	}
	body, err := os.ReadFile(c.APIKeyFile)
	if err != nil {
		return "", lectern.Errorf(lectern.CodeInvalid, "opinion.chat.api_key_file cannot be read: %w", err)
	}
	key := strings.TrimSpace(string(body))
	if key == "" || len(key) > maxKeyFile || !httpguts.ValidHeaderFieldValue(key) {
		return "", lectern.Errorf(lectern.CodeInvalid, "opinion.chat.api_key_file %s does not hold a key", c.APIKeyFile)
	}
	return key, nil
}
