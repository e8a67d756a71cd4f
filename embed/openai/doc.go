// Package openai embeds texts with any server that speaks OpenAI's embeddings
// API: OpenAI itself, Ollama, vLLM, Text Embeddings Inference (TEI).
//
// Documents go in batches, several at a time, and are retried; queries get one
// short attempt, so that search can answer by words instead. Both share one
// circuit breaker. Every answer is checked before it is believed, and vectors
// have unit length whatever the server sends. Numbers are asked for as floats:
// base64 is smaller, but Ollama ignored it for long and OpenAI does not promise it.
package openai
