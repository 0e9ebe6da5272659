from django.apps import AppConfig


class GraphSizeConfig(AppConfig):
    name = "webapp.graph_size"
    label = "graph_size"
