"""Neural nets on `autograd`: modules, layers, losses and optimisers, each written as its equation on Values.

``python -m nn`` trains one on real data, in seconds.
"""

from . import data as data
from . import init as init
from . import metrics as metrics
from . import train as train
from .functional import dsilu as dsilu
from .functional import elu as elu
from .functional import gelu as gelu
from .functional import hard_sigmoid as hard_sigmoid
from .functional import hard_tanh as hard_tanh
from .functional import leaky_relu as leaky_relu
from .functional import log_sigmoid as log_sigmoid
from .functional import log_softmax as log_softmax
from .functional import mish as mish
from .functional import relu as relu
from .functional import selu as selu
from .functional import sigmoid as sigmoid
from .functional import silu as silu
from .functional import softmax as softmax
from .functional import softplus as softplus
from .functional import softsign as softsign
from .functional import step as step
from .functional import tanh as tanh
from .layers import MLP as MLP
from .layers import Dense as Dense
from .layers import Sequential as Sequential
from .losses import binary_cross_entropy as binary_cross_entropy
from .losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from .losses import cross_entropy as cross_entropy
from .losses import hinge as hinge
from .losses import huber as huber
from .losses import kl_div as kl_div
from .losses import mae as mae
from .losses import mse as mse
from .losses import nll as nll
from .losses import perceptron_loss as perceptron_loss
from .losses import rmse as rmse
from .losses import sse as sse
from .model import Model as Model
from .module import Module as Module
from .optim import SGD as SGD
from .optim import Optimizer as Optimizer
from .saving import from_torch_state_dict as from_torch_state_dict
from .saving import load as load
from .saving import save as save
from .saving import to_torch_state_dict as to_torch_state_dict
from .symbol import Input as Input
from .symbol import Symbol as Symbol
