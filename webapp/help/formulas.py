r"""The formulas of the help, in one notation: θ the meta-parameters, s_t the inner state, w_t its
parameters, Φ_t an inner step, ℓ_t the meta-loss after it, F their sum, g* = dF/dθ, ĝ an estimate.

Keys are places in the help: `estimators.truncated` of a kind, `bias` of a metric.
"""

from __future__ import annotations

ESTIMATORS: dict[str, list[str]] = {
    "unrolled": [
        r"\lambda_T = \frac{\partial F}{\partial s_T}, \qquad "
        r"\lambda_t = \left(\frac{\partial \Phi_t}{\partial s}\right)^{\top} \lambda_{t+1} "
        r"+ c_t \frac{\partial \ell_t}{\partial s_t}",
        r"\hat g = \sum_{t=0}^{T-1} \left(\frac{\partial \Phi_t}{\partial \theta}\right)^{\top} "
        r"\lambda_{t+1} + \left(\frac{\partial s_0}{\partial "
        r"\theta}\right)^{\top} \lambda_0 = g^{\ast}",
    ],
    "truncated": [
        r"\hat g = \sum_{t=T-K}^{T-1} \left(\frac{\partial \Phi_t}{\partial \theta}\right)^{\top} "
        r"\lambda_{t+1}",
    ],
    "implicit": [
        r"\hat g = \frac{\partial F}{\partial \theta} "
        r"- \frac{\partial^2 L}{\partial \theta\, \partial w}\, H^{-1} "
        r"\frac{\partial F}{\partial w}, \qquad H = "
        r"\frac{\partial^2 L}{\partial w^2}(w_T, \theta)",
        r"\text{Neumann:}\quad H^{-1} b \approx \alpha \sum_{j=0}^{k-1} (I - \alpha H)^j\, b",
    ],
    "fomaml": [
        r"\frac{\partial^2 L}{\partial w^2} := 0 \;\Rightarrow\; "
        r"\hat g = \frac{\partial F}{\partial w_T} "
        r"\quad \text{for}\; \theta = w_0",
    ],
    "reptile": [r"\hat g = \theta - w_T"],
    "forward_mode": [
        r"Z_0 = \frac{\partial s_0}{\partial \theta}, \qquad Z_{t+1} = "
        r"\frac{\partial \Phi_t}{\partial s} Z_t + \frac{\partial \Phi_t}{\partial \theta}, "
        r"\qquad \hat g = \frac{\partial F}{\partial s_T} Z_T",
        r"\text{random directions:}\quad \hat g = "
        r"\frac{1}{m} \sum_{i=1}^{m} u_i\, (u_i^{\top} g^{\ast})",
    ],
    "evolution": [
        r"\hat g = \frac{1}{2 \sigma^2 N} \sum_{i=1}^{N} \varepsilon_i "
        r"\big[ F(\theta + \varepsilon_i) - F(\theta - \varepsilon_i) \big], "
        r"\qquad \varepsilon_i \sim \mathcal{N}(0, \sigma^2 I)",
        r"\text{persistent:}\quad \hat g = \frac{1}{\sigma^2 N} \sum_{i=1}^{N} \xi_i\, "
        r"L_i(\theta + \varepsilon_i), \qquad \xi_i = \sum_{\text{windows}} \varepsilon_i",
    ],
    "reinforce": [
        r"\hat g = \frac{1}{N} \sum_{i=1}^{N} (\ell_i - b)\, "
        r"\nabla_{\theta} \log \pi_{\theta}(a_i)",
    ],
    "self_tuning": [
        r"\hat w(\theta + \varepsilon) = w + U \varepsilon, \qquad "
        r"\hat g = \frac{\partial F}{\partial \theta} + U^{\top} \frac{\partial F}{\partial w}",
    ],
    "elites": [
        r"\theta_i \sim \mathcal{N}(\mu, \sigma^2), \qquad "
        r"(\mu, \sigma^2) \leftarrow \text{mean and "
        r"variance of the}\; n \;\text{best}\; \theta_i",
    ],
    "cma_es": [
        r"\theta_i \sim \mathcal{N}(\mu, \sigma^2 C), "
        r"\qquad \mu \leftarrow \sum_i w_i\, \theta_{(i)}"
    ],
    "random": [
        r"\theta_i \sim \mathcal{U}(\text{low}, \text{high}), \qquad "
        r"\theta^{\ast} = \arg\min_i F(\theta_i)"
    ],
    "grid": [r"\theta^{\ast} = \arg\min_{\theta \in \text{grid}} F(\theta)"],
    "bayesian": [
        r"\theta_{\text{next}} = \arg\max_{\theta} "
        r"\frac{p(\theta \mid F < q)}{p(\theta \mid F \ge q)}"
    ],
    "population_based": [
        r"\theta_{\text{worst}} \leftarrow \theta_{\text{best}} \cdot \{0.8, 1.2\}, \qquad "
        r"w_{\text{worst}} \leftarrow w_{\text{best}}"
    ],
}

KINDS: dict[str, list[str]] = {
    **{f"estimators.{kind}": formulas for kind, formulas in ESTIMATORS.items()},
    "inner.optimizer.sgd": [r"w_{t+1} = w_t - \alpha \nabla L(w_t)"],
    "inner.optimizer.momentum": [
        r"v_{t+1} = \mu v_t + \nabla L(w_t), \qquad w_{t+1} = w_t - \alpha v_{t+1}"
    ],
    "inner.optimizer.adam": [
        r"m_{t+1} = \beta_1 m_t + (1 - \beta_1) \nabla L, \qquad "
        r"v_{t+1} = \beta_2 v_t + (1 - \beta_2) (\nabla L)^2, \qquad "
        r"w_{t+1} = w_t - \alpha \frac{\hat m}{\sqrt{\hat v + \varepsilon^2}}"
    ],
    "inner_task.quadratic": [
        r"L(w) = \tfrac{1}{2} (w - c)^{\top} H (w - c), "
        r"\qquad F = \tfrac{1}{2} {\lVert w_T - c' \rVert}^2"
    ],
    "inner_task.noisy_quadratic": [
        r"\mathbb{E}[x^2] \leftarrow (1 - \alpha h)^2\, \mathbb{E}[x^2] + \alpha^2 c h"
    ],
    "inner_task.influence_balancing": [
        r"s_{t+1} = A s_t + \theta \cdot \text{signs}, \qquad F = \tfrac{1}{2} (s_T[0] - 1)^2"
    ],
    "inner_task.toy_regression": [
        r"L = \sqrt{x^2 + 5} - \sqrt{5} + \sin^2(y)\, "
        r"e^{-5 x^2} + \tfrac{1}{4} \lvert y - 100 \rvert"
    ],
    "inner_task.sinusoid": [
        r"y = A \sin(x - \varphi), \qquad A "
        r"\in [0.1, 5],\; \varphi \in [0, \pi]"
    ],
    "inner_task.gradient_matching": [
        r"\ell_t = \sum_{\text{layers}} \big(1 - \cos(\nabla L_{\text{distilled}}, "
        r"\nabla L_{\text{real}})\big)"
    ],
    "meta_parameters.learning_rate": [
        r"w_{t+1} = w_t - \alpha\, \nabla "
        r"L(w_t), \qquad \theta = \alpha"
    ],
    "meta_parameters.weight_decay": [r"L(w) + \tfrac{1}{2} \lambda {\lVert w \rVert}^2"],
    "meta_parameters.l1_penalty": [
        r"L(w) + \lambda \sum_j \big(\sqrt{w_j^2 "
        r"+ \varepsilon^2} - \varepsilon\big)"
    ],
    "meta_parameters.initialisation": [r"w_0 = \theta"],
    "meta_parameters.meta_lstm": [r"w_{t+1} = f_t \odot w_t - i_t \odot \nabla L(w_t)"],
    "meta_parameters.architecture": [
        r"\text{edge}(x) = \sum_{o} \frac{e^{\alpha_o}}{\sum_{o'} e^{\alpha_{o'}}}\, o(x)"
    ],
    "meta_parameters.augmentation_network": [
        r"x' = x + \text{network}_{\theta}(x, "
        r"\text{noise})"
    ],
    "meta_parameters.distilled_images": [
        r"w_{t+1} = w_t - \alpha \nabla L(w_t;\, "
        r"x_{\theta}, y), \qquad \theta = x_{\theta}"
    ],
    "meta_parameters.example_weights": [
        r"L(w) = \frac{1}{n} \sum_{i=1}^{n} "
        r"\theta_i\, \ell(x_i, y_i; w)"
    ],
    "meta_parameters.label_smoothing": [r"y' = (1 - \theta)\, y + \frac{\theta}{C}"],
}

METRICS: dict[str, str] = {
    "meta_loss": r"F(\theta) = \sum_{t} c_t\, \ell_t(s_t, \theta)",
    "bias": r"\lVert \mathbb{E}[\hat g] - g^{\ast} \rVert",
    "bias_relative": r"\frac{\lVert \mathbb{E}[\hat g] - g^{\ast} \rVert}{\lVert g^{\ast} \rVert}",
    "cosine": r"\frac{\mathbb{E}[\hat g]^{\top} g^{\ast}}{\lVert "
    r"\mathbb{E}[\hat g] \rVert\, \lVert g^{\ast} \rVert}",
    "variance": r"\operatorname{tr} \operatorname{Cov} \hat g = "
    r"\mathbb{E} {\lVert \hat g - \mathbb{E}[\hat g] \rVert}^2",
    "variance_relative": r"\frac{\operatorname{tr} \operatorname{Cov} "
    r"\hat g}{{\lVert g^{\ast} \rVert}^2}",
    "gradient_norm": r"\lVert \hat g \rVert",
    "oracle_norm": r"\lVert g^{\ast} \rVert",
    "clipped": r"\hat g \leftarrow \hat g \cdot \min\!\left(1, "
    r"\frac{c}{\lVert \hat g \rVert}\right)",
    "residual": r"\frac{\lVert H v - b \rVert}{\lVert b \rVert}",
    "inner_gradient_norm": r"\lVert \nabla_w L(w_T, \theta) \rVert",
    "negative_curvature": r"\exists\, p: \; p^{\top} H p < 0",
    "adjoint_norm": r"\max_t \lVert \lambda_t \rVert",
    "effective_sample_size": r"\frac{(\sum_i a_i)^2}{\sum_i a_i^2}, \qquad "
    r"a_i = \lvert F(\theta + \varepsilon_i) - F(\theta - \varepsilon_i) \rvert",
    "smoothing_distance": r"\frac{\lVert \nabla F_{\sigma} - "
    r"g^{\ast} \rVert}{\lVert g^{\ast} \rVert}, "
    r"\qquad F_{\sigma}(\theta) = \mathbb{E}_{\varepsilon} F(\theta + \varepsilon)",
    "bias_smoothed_relative": r"\frac{\lVert \mathbb{E}[\hat g] - \nabla F_{\sigma} \rVert}"
    r"{\lVert \nabla F_{\sigma} \rVert}",
    "smoothed_norm": r"\lVert \nabla F_{\sigma}(\theta) \rVert",
    "smoothed_standard_error": r"\sqrt{\frac{\operatorname{tr} \operatorname{Cov} "
    r"\nabla F(\theta + \varepsilon)}{n}}",
    "sigma": r"\theta_i \sim \mathcal{N}(\mu, \sigma^2)",
    "best": r"\min_i F(\theta_i)",
    "test_perplexity": r"\exp(\text{cross-entropy})",
    "test_accuracy": r"\frac{\text{classified correctly}}{\text{examples}}",
}
