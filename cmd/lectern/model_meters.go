package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-dev/lectern"
)

// What the collaborative models report.
var ( // descriptions never change
	descModelVersion = prometheus.NewDesc("lectern_model_version",
		"Version of the collaborative model in use, 0 for none.", nil, nil)
	descModelFactors = prometheus.NewDesc("lectern_model_factors_version",
		"Version of the model whose factors the index holds, 0 for none.", nil, nil)
	descModelAge = prometheus.NewDesc("lectern_model_age_seconds",
		"Seconds since the model in use was trained.", nil, nil)
	descModelMetric = prometheus.NewDesc("lectern_model_validation",
		"What models are compared by, as the training of the one in use measured it: of itself, and of popularity.", []string{"metric", "model"}, nil)
	descModelSeconds = prometheus.NewDesc("lectern_model_training_seconds",
		"Seconds that the training of the model in use took.", nil, nil)
	descModelTraining = prometheus.NewDesc("lectern_model_training",
		"1 while this process trains models.", nil, nil)
	descModelFailures = prometheus.NewDesc("lectern_model_training_failures_total",
		"Trainings of this process that failed.", nil, nil)
	descModelRefused = prometheus.NewDesc("lectern_model_refused_total",
		"Trainings of this process whose model was not put to use.", nil, nil)
)

// modelsCollector reports on the collaborative models.
type modelsCollector struct{ engine *engine }

var _ prometheus.Collector = (*modelsCollector)(nil)

// Describe implements prometheus.Collector.
func (*modelsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descModelVersion, descModelFactors, descModelAge, descModelMetric, descModelSeconds, descModelTraining, descModelFailures, descModelRefused,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *modelsCollector) Collect(out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	trained := c.engine.trainer.Stats()
	send(descModelTraining, prometheus.GaugeValue, boolValue(trained.Running))
	send(descModelFailures, prometheus.CounterValue, float64(trained.Failures))
	send(descModelRefused, prometheus.CounterValue, float64(trained.Refused))
	send(descModelFactors, prometheus.GaugeValue, float64(c.engine.pipeline.FactorsHeld()))
	model := c.engine.models.Current()
	if model == nil {
		send(descModelVersion, prometheus.GaugeValue, 0)
		return
	}
	v := model.Info()
	send(descModelVersion, prometheus.GaugeValue, float64(v.Version))
	send(descModelAge, prometheus.GaugeValue, lectern.SystemClock().Sub(v.CreatedAt).Seconds())
	send(descModelSeconds, prometheus.GaugeValue, v.Seconds)
	for _, name := range []string{v.Selected, popularName} {
		if x, ok := v.Measured(name); ok {
			send(descModelMetric, prometheus.GaugeValue, x, v.Metric, name)
		}
	}
}
