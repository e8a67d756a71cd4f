package main

import (
	"net/url"
	"regexp"
)

// hidden stands for what is not shown.
const hidden = "xxxxx"

// withoutSecrets returns the configuration with everything hidden that lets
// somebody in.
func (c Config) withoutSecrets() Config {
	hide := func(s *string) {
		if *s != "" {
			*s = hidden
		}
	}
	c.Store.Postgres.DSN = withoutPassword(c.Store.Postgres.DSN)
	c.Store.Postgres.DirectDSN = withoutPassword(c.Store.Postgres.DirectDSN)
	hide(&c.Index.Qdrant.APIKey)
	hide(&c.Embed.OpenAI.APIKey)
	c.Embed.OpenAI.BaseURL = withoutUser(c.Embed.OpenAI.BaseURL)
	hide(&c.Opinion.Chat.APIKey)
	c.Opinion.Chat.BaseURL = withoutUser(c.Opinion.Chat.BaseURL)
	if len(c.Embed.OpenAI.Headers) > 0 { // any of them may be a key
		headers := make(map[string]string, len(c.Embed.OpenAI.Headers))
		for name := range c.Embed.OpenAI.Headers {
			headers[name] = hidden
		}
		c.Embed.OpenAI.Headers = headers
	}
	return c
}

// passwords finds the values of password=… pairs, quoted or not, in a list of
// pairs or in a query.
var passwords = regexp.MustCompile(`(?i)((?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&']+)`) // never changes

// withoutPassword hides the password of a database's address.
func withoutPassword(dsn string) string {
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), hidden)
		}
		dsn = u.String()
	} else if isPostgres(dsn) && !passwords.MatchString(dsn) && err != nil {
		return hidden // there is no telling what in it is the password
	}
	return passwords.ReplaceAllString(dsn, "${1}"+hidden)
}

// withoutUser takes user and password out of an address.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return hidden
	}
	u.User = nil
	return u.String()
}
