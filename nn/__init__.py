"""Neural nets on `autograd`: modules, layers, losses and optimisers, each written as its equation on Values.

``python -m nn`` trains one on real data, in seconds.
"""

from . import data as data
from . import init as init
from . import metrics as metrics
from .functional import log_softmax as log_softmax
from .functional import relu as relu
from .functional import sigmoid as sigmoid
from .functional import softmax as softmax
from .functional import tanh as tanh
from .layers import MLP as MLP
from .layers import Dense as Dense
from .layers import Sequential as Sequential
from .losses import cross_entropy as cross_entropy
from .losses import mse as mse
from .model import Model as Model
from .module import Module as Module
from .optim import SGD as SGD
from .optim import Optimizer as Optimizer
from .symbol import Input as Input
from .symbol import Symbol as Symbol
